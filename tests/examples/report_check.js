// Checks the report in whose page it runs, and leaves what it found in #result. The names
// from the page's own script are in scope here.
'use strict';
(() => {
  const problems = [];
  let checks = 0;
  const check = (ok, what) => { ++checks; if (!ok) problems.push(what); };
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const report = JSON.parse(document.getElementById('data').textContent);

  const overlap = (a, b) =>
      a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;

  function checkPlot(svg, what) {
    const frame = svg.getBoundingClientRect();
    check(frame.width > 200 && frame.height > 100, `${what}: the plot has no size`);
    const texts = all('text', svg).map(text => [text.textContent, text.getBoundingClientRect()]);
    texts.forEach(([text, box], i) => {
      check(box.width > 0 && box.left >= frame.left - 1 && box.right <= frame.right + 1 &&
          box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1, `${what}: "${text}" is cut off`);
      for (const [other, place] of texts.slice(i + 1))
        check(!overlap(box, place), `${what}: "${text}" lies on "${other}"`);
    });
    for (const line of all('.line', svg)) {
      const box = line.getBBox();
      const points = all('.dot', svg).length > 0 && line.getAttribute('d').indexOf('L') < 0;
      check(points || (box.width > 0 && line.getAttribute('d') !== ''), `${what}: a curve is empty`);
      check(!/NaN|Infinity|undefined/.test(line.getAttribute('d')), `${what}: a curve is broken`);
    }
  }

  function moveTo(index) {
    const slider = document.getElementById('epoch');
    slider.value = index;
    slider.dispatchEvent(new Event('input'));
  }

  /** All plots as they are for the report that is shown. */
  function checkPage({layers, metrics}, what) {
    const figures = all('figure.layer');
    check(figures.length === layers.length, `${what}: ${figures.length} plots of ${layers.length} layers`);
    check(all('figure.curve').length === (metrics.length > 0 ? 2 : 0), `${what}: no training curves`);
    for (const figure of all('figure'))
      checkPlot(figure.querySelector(':scope > svg'), `${what}, ${figure.querySelector('b').textContent}`);
    const boxes = all('figure').map(figure => figure.getBoundingClientRect());
    boxes.forEach((box, i) => check(!boxes.slice(i + 1).some(other => overlap(box, other)), `${what}: plots overlap`));
    check(document.documentElement.scrollWidth <= window.innerWidth, `${what}: wider than the window`);
  }

  /** Every epoch has its own function and histogram. */
  function checkSlider({layers}, what) {
    const last = Number(document.getElementById('epoch').max), drawn = new Set();
    const figures = all('figure.layer');
    for (let index = 0; index <= last; ++index) {
      moveTo(index);
      const epoch = Number.parseInt(document.querySelector('output').textContent);
      figures.forEach((figure, i) => {
        const name = `${what}, ${layers[i].name}, epoch ${epoch}`;
        const bars = figure.querySelector('.bars');
        const known = layers[i].inputs.some(row => row.epoch === epoch);
        check((bars.getAttribute('d') !== '') === known, `${name}: histogram`);
        if (known) check(bars.getBBox().height > 10 && bars.getBBox().width > 10, `${name}: flat histogram`);
        if (!layers[i].formula) return;
        const key = i + figure.querySelector('.learned').getAttribute('d');
        check(!drawn.has(key), `${name}: the same curve as before`);
        drawn.add(key);
      });
    }
  }

  /** The library's values, from the blocks of gnuplot's script. */
  function checkValues({layers}) {
    const blocks = [...document.getElementById('gnuplot').textContent.matchAll(/^\$layer\d+ << END\n([^]*?)^END$/gm)];
    const learned = layers.filter(layer => layer.formula);
    check(blocks.length === learned.length, 'values: layers');
    blocks.forEach((block, i) => {
      const functions = learned[i].functions;
      for (const line of block[1].trim().split('\n')) {
        const [x, before, after] = line.split(' ').map(Number);
        for (const [expected, row] of [[before, functions[0]], [after, functions[functions.length - 1]]])
          check(Math.abs(rational(learned[i].formula, row.coefficients, x) - expected) <= 1e-5 * (1 + Math.abs(expected)),
              `values: ${learned[i].name} at ${x}`);
      }
    });
    for (const layer of layers)
      for (const row of layer.inputs) check(total(row) === row.count, `${layer.name}: the bars miss inputs`);
  }

  /** The same run with its layers repeated or changed. */
  function withLayers(count, change = layer => layer) {
    const layers = Array.from({length: count}, (_, i) =>
        change({...report.layers[i % report.layers.length], name: `block${i}.act`}));
    return {...report, layers};
  }

  function checkVariants() {
    for (const count of [1, 60]) {
      const many = withLayers(count);
      render(many);
      checkPage(many, `${count} layers`);
    }
    const bare = withLayers(3, layer => ({...layer, inputs: []}));
    render(bare);
    checkPage(bare, 'no inputs');
    render({...report, layers: []});
    checkPage({...report, layers: []}, 'no layers');

    const marked = withLayers(1, layer => ({...layer, name: '<b class="evil">&amp;', description: '<i>"'}));
    render({...marked, run: {...report.run, program: '<img src=x>'}});
    check(all('.evil, img, i').length === 0, 'names became markup');
    check(document.querySelector('figure.layer b').textContent === '<b class="evil">&amp;', 'a name was changed');

    const lost = {...report, metrics: report.metrics.map(row => ({...row, train_loss: null, test_loss: null}))};
    render(lost);
    check(all('figure.curve > svg .line')[0].getAttribute('d') === '', 'a loss of NaN has a curve');

    // All inputs are one number, and some are none.
    const narrow = withLayers(1, layer => ({...layer, inputs: layer.inputs.map(row =>
        ({...row, nan: 5, infinite: 3, min: 0, max: 0, std: 0, low: 0, width: 2 ** -40, below: 0, above: 0,
          counts: [row.count]}))}));
    render(narrow);
    checkPage(narrow, 'one bar');
    check(/NaN.*infinite/.test(document.querySelector('figure.layer .figures').textContent), 'NaN is not told');
  }

  try {
    checkPage(report, 'page');
    checkSlider(report, 'slider');
    checkValues(report);
    checkVariants();
  } catch (error) {
    problems.push(String(error.stack));
  }
  const result = document.createElement('pre');
  result.id = 'result';
  result.textContent = problems.length > 0 ? `FAILED: ${problems.slice(0, 8).join('; ').replace(/\s+/g, ' ')}`
                                           : `passed ${checks} checks`;
  document.body.append(result);
})();
