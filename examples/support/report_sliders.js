'use strict';

// Below the plot of a learned layer: sliders for its coefficients, and what they make of the function.

/** The points of f and f′ over the plot; the lines break at poles. */
function sampleOf(layer, values, poles) {
  const kPoints = 321, [low, high] = layer.x;
  const points = [[], []];
  let left = low;
  for (let i = 0; i < kPoints; ++i) {
    const x = low + (high - low) * i / (kPoints - 1);
    if (poles.some(pole => left < pole && pole <= x)) points.forEach(line => line.push([x, NaN]));
    functionAt(layer, values, x).forEach((value, order) => points[order].push([x, value]));
    left = x;
  }
  return points;
}

/** The SPEC of this function. */
function specOf({kind, coefficients: names}, values) {
  if (kind.formula) return `${kind.formula}:${names.map((name, k) => `${name}=${values[k]}`).join(',')}`;
  const of = letter => values.filter((_, k) => names[k][0] === letter).join(' ');
  return `opau:basis=${kind.basis},form=${kind.form},coefficients=${of('c')}/${of('d')}`;
}

/** Copies the text of a field, in one of the two ways that a browser may have switched off. */
async function copyFrom(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand('copy');
  }
}

/** The sliders of a layer in whose plot their function is drawn, that of one group. They are made when
 *  they are opened: a deep network has many. */
function slidersOf(layer, {scale, inside, box}) {
  const names = layer.coefficients, count = layer.functions[0]?.coefficients.length ?? 0;
  const lines = ['line tried slope', 'line tried'].map(style => make('path', {class: style}));
  const marks = make('path', {class: 'pole'});
  const details = make('details', {class: 'try'}, make('summary', {}, 'try other coefficients'));
  let learned = null, group = 0, rows = [], choice = null, said = null, field = null;
  const tried = Array(count).fill(null);  // of each group whose sliders have been moved
  const now = () => tried[group] || learned[group];

  const draw = () => {
    if (!details.open || !learned || rows.length === 0) return;
    const values = now(), poles = polesOf(layer, values, layer.x);
    const [f, slope] = sampleOf(layer, values, poles);
    lines[0].setAttribute('d', through(slope, scale));
    lines[1].setAttribute('d', through(f, scale));
    marks.setAttribute('d', poles.map(pole => `M${scale.x(pole).toFixed(2)} ${box.top}V${box.bottom}`).join(''));
    rows.forEach(({output}, k) => { output.textContent = shown(values[k], 4); });
    said.textContent = layer.kind.form !== 'unsafe' ? ''
        : poles.length > 0 ? `poles at ${poles.map(pole => shown(pole)).join(', ')}` : 'no poles in the plot';
    field.value = specOf(layer, values);
  };

  /** Puts every slider on its coefficient, in the middle of what it reaches. */
  const place = () => rows.forEach(({slider}, k) => {
    const middle = learned[group][k], reach = Math.max(0.5, 2 * Math.abs(middle));
    slider.min = middle - reach;
    slider.max = middle + reach;
    slider.value = now()[k];
  });

  /** A label and what it names: which group is tried. */
  const chooser = () => {
    choice = make('select', {id: `${layer.name}/group`},
        ...tried.map((_, index) => make('option', {value: index}, String(index))));
    choice.value = group;
    choice.addEventListener('change', () => {
      group = Number(choice.value);
      place();
      draw();
    });
    const more = count < layer.groups ? `one of the first ${count} of ${layer.groups}` : '';
    return make('span', {}, make('label', {for: choice.id}, 'group'), choice, more);
  };

  const build = () => {
    rows = names.map((name, k) => {
      const slider = make('input', {type: 'range', step: 'any', id: `${layer.name}/${name}`});
      slider.addEventListener('input', () => {
        tried[group] = [...now()];
        tried[group][k] = Number(slider.value);
        draw();
      });
      return {slider, output: make('output', {}), name};
    });
    said = make('div', {class: 'poles'});
    field = make('input', {type: 'text', readonly: '', 'aria-label': 'SPEC'});
    const reset = make('button', {type: 'button', class: 'reset'}, 'Reset');
    reset.addEventListener('click', () => {
      tried[group] = null;
      place();
      draw();
    });
    const copy = make('button', {type: 'button', class: 'copy'}, 'Copy SPEC');
    copy.addEventListener('click', async () => {
      copy.textContent = await copyFrom(field) ? 'Copied' : 'Copy it by hand';
      setTimeout(() => { copy.textContent = 'Copy SPEC'; }, 1500);
    });
    details.append(
        make('div', {class: 'legend'}, make('span', {}, swatch('line tried'), 'f'),
            make('span', {}, swatch('line tried slope'), 'f′'),
            layer.kind.form === 'unsafe' ? make('span', {}, swatch('pole'), 'pole') : null,
            count > 1 ? chooser() : null),
        make('div', {class: 'sliders'}, ...rows.flatMap(({slider, output, name}) =>
            [make('label', {for: slider.id}, name), slider, output])),
        said, make('div', {class: 'copied'}, reset, copy, field));
  };

  const show = () => {
    if (details.open && rows.length === 0) build();
    if (details.open) inside.append(marks, ...lines);
    else for (const node of [marks, ...lines]) node.remove();
    if (learned) place();
    draw();
  };
  details.addEventListener('toggle', show);

  return {
    details,
    /** The epoch is another one: coefficients that were not moved follow. */
    update(epoch) {
      const found = functionOf(layer, epoch);
      learned = found && found.coefficients.flat().every(Number.isFinite) ? found.coefficients : null;
      details.hidden = !learned;
      if (learned) place();
      draw();
    },
    /** What is to be kept over a reload, and put back after it. */
    state: () => ({open: details.open, group, tried}),
    restore(state) {
      if (state.tried.length === count && state.tried.every(values => !values || values.length === names.length)) {
        group = state.group;
        tried.splice(0, count, ...state.tried);
      }
      if (choice) choice.value = group;
      details.open = state.open;
      show();
    },
  };
}
