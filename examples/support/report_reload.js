'use strict';

// The page of a run that goes on loads itself again, with the place where its reader was.

/** Puts back what the page before has kept, by restore(). Then, every so many seconds, keeps what
 *  state() gives and loads again; with null, this page is the last one. */
function keepFresh(state, restore, seconds) {
  const kept = history.state && history.state.pade;
  if (kept) {
    restore(kept.page);
    window.scrollTo(...kept.scroll);
    document.getElementById(kept.focus)?.focus({preventScroll: true});
  }
  history.scrollRestoration = seconds === null ? 'auto' : 'manual';
  if (seconds === null) return history.replaceState(null, '');

  let held = false;  // a slider by a pointer, which a new page would not know
  addEventListener('pointerdown', () => { held = true; });
  for (const end of ['pointerup', 'pointercancel', 'blur']) addEventListener(end, () => { held = false; });
  const reload = () => {
    if (held || document.hidden) return;
    history.replaceState({pade: {
      scroll: [window.scrollX, window.scrollY], focus: document.activeElement.id, page: state(),
    }}, '');
    location.reload();
  };
  setInterval(reload, 1000 * Math.min(60, Math.max(3, seconds)));
  document.addEventListener('visibilitychange', reload);
}
