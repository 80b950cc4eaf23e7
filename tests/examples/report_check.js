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
        const range = figure.querySelector('.range').getAttribute('d');
        check((range !== '') === (layers[i].groups > 1), `${name}: range of the groups`);
        if (!layers[i].learned) return;
        const key = i + figure.querySelector('.learned').getAttribute('d');
        check(!drawn.has(key), `${name}: the same curve as before`);
        drawn.add(key);
      });
    }
  }

  // ------------------------------------------------ the functions once more, from coefficients

  const hermite = (x, k, f, g) => x * f - k * g;
  const laguerre = (x, k, f, g) => ((2 * k + 1 - x) * f - k * g) / (k + 1);

  /** sum c_i f_i / q(d_j f_j, …), of coefficients by name. */
  function rational(next, q, k, x) {
    let before = 0, f = 1, p = 0;
    const terms = [];
    for (let i = 0; i <= 8; ++i) {
      p += (k[`c${i}`] || 0) * f;
      terms.push((k[`d${i}`] || 0) * f);
      [before, f] = [f, next(x, i, f, before)];
    }
    return p / q(terms);
  }
  const sum = terms => terms.reduce((total, term) => total + term, 0);

  const kFunctions = {
    hp1: (k, x) => rational(hermite, terms => 1 + sum(terms.map(Math.abs)), k, x),
    opau: (k, x) => rational(laguerre, terms => 0.1 + Math.abs(sum(terms)), k, x),
    swish: (k, x) => x / (1 + Math.exp(-k.beta * x)),
    leaky_relu: null,  // learns nothing
  };

  /** The rows of activations.csv: for a layer and an epoch, an object of coefficients per group. */
  function coefficientsOf(name, epoch) {
    const [header, ...rows] = document.getElementById('coefficients').textContent.trim().split('\n')
        .map(line => line.split(','));
    return rows.filter(row => Number(row[0]) === epoch && row[2].replace(/\[\d+\]$/, '') === name)
        .map(row => Object.fromEntries(header.slice(3).map((key, i) => [key, Number(row[i + 3])])));
  }

  function checkValues({run, layers}) {
    const f = kFunctions[run.options.activation.replace(/:.*/, '')];
    const words = document.querySelector('main').textContent;
    check(/no learned activations/.test(words) === (f === null), 'what is said of learning');
    for (const layer of layers) {
      check(layer.learned === (f !== null), `values: whether ${layer.name} is learned`);
      check(layer.functions.length === (f ? report.metrics.length + 1 : 1), `values: epochs of ${layer.name}`);
      for (const {epoch, values, least, largest} of f ? layer.functions : []) {
        const groups = coefficientsOf(layer.name, epoch);
        check(groups.length === layer.groups, `values: groups of ${layer.name}`);
        values.forEach((value, i) => {
          const x = layer.x[0] + (layer.x[1] - layer.x[0]) * i / (values.length - 1);
          const expected = groups.map(k => f(k, x));
          const near = (a, b) => Math.abs(a - b) <= 1e-5 * (1 + Math.abs(b));
          check(near(value, sum(expected) / groups.length), `values: ${layer.name} at ${x}`);
          check(!least || (near(least[i], Math.min(...expected)) && near(largest[i], Math.max(...expected))),
              `values: range of ${layer.name} at ${x}`);
        });
      }
    }
    for (const layer of layers)
      for (const row of layer.inputs) {
        check(total(row) === row.count, `${layer.name}: the bars miss inputs`);
        check(layer.x[0] <= row.mean && row.mean <= layer.x[1], `${layer.name}: drawn where no inputs are`);
      }
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
