// Checks the report in whose page it runs, and leaves what it found in #result. The names
// from the page's own script are in scope here.
'use strict';
(async () => {
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

  // ------------------------------------------------------------------------------- the sliders

  /** What waits is done: events, and what a click has begun. */
  const rest = () => new Promise(done => setTimeout(done, 20));

  function move(slider, value) {
    slider.value = value;
    slider.dispatchEvent(new Event('input'));
  }

  function choose(select, value) {
    select.value = value;
    select.dispatchEvent(new Event('change'));
  }

  const pointsOn = path => path.split(/[ML]/).slice(1).map(point => point.split(' ').map(Number));
  const nearest = (points, x) =>
      points.reduce((best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best);

  /** Each group's function is that of activations.csv, and the curve of the layer is their mean. What is moved
   *  stays with its group. */
  function checkGroups(layer, figure, what) {
    const choice = figure.querySelector('details.try select');
    check((choice !== null) === (layer.groups > 1), `${what}: whether a group can be chosen`);
    if (!choice) return;
    const groups = coefficientsOf(layer.name, layer.functions.at(-1).epoch).slice(0, 32);
    check(all('option', choice).map(option => option.textContent).join() === [...groups.keys()].join(),
        `${what}: ${choice.textContent} to choose from`);
    check(choice.parentNode.textContent.includes(`of ${layer.groups}`) === layer.groups > 32, `${what}: some are left out`);
    const field = figure.querySelector('.copied input'), slider = figure.querySelector('.sliders input');
    const tried = all(':scope > svg .tried', figure)[1];
    const specs = groups.map(k => specOf(layer, layer.coefficients.map(name => k[name])));
    const curves = groups.map((_, group) => {
      choose(choice, group);
      check(field.value === specs[group], `${what}, group ${group}: ${field.value}`);
      checkPlot(figure.querySelector(':scope > svg'), `${what}, group ${group}`);
      return pointsOn(tried.getAttribute('d'));
    });
    check(new Set(curves.map(String)).size > 1, `${what}: all groups look the same`);
    if (groups.length === layer.groups)
      for (const [x, y] of pointsOn(figure.querySelector('.learned').getAttribute('d'))) {
        const there = curves.map(points => nearest(points, x));
        check(there.every(([at]) => Math.abs(at - x) <= 0.02), `${what}: no points at ${x}`);
        check(Math.abs(sum(there.map(([, height]) => height)) / groups.length - y) < 0.05,
            `${what}: the groups' mean at ${x} is not the learned curve`);
      }

    choose(choice, 1);
    move(slider, slider.max);
    const moved = field.value, place = slider.value;
    check(moved !== specs[1], `${what}: the second group does not follow its slider`);
    choose(choice, 0);
    check(field.value === specs[0], `${what}: the first group follows the second's slider`);
    choose(choice, 1);
    check(field.value === moved && slider.value === place, `${what}: what was moved is lost, ${place} is ${slider.value}`);
    figure.querySelector('.reset').click();
    check(field.value === specs[1], `${what}: Reset does not bring the second group back`);
    choose(choice, 0);
  }

  /** The poles are those of the chosen group: of x / (1 + x²), and of x / (1 − x²). */
  async function checkPolesOfGroups() {
    const layers = report.layers.slice(0, 1).filter(layer => layer.learned).map(layer => ({...layer, groups: 3, x: [-3, 3],
      kind: {basis: 'monomial', form: 'unsafe'}, coefficients: ['c0', 'c1', 'd1', 'd2'],
      functions: layer.functions.map(row => ({...row, coefficients: [[0, 1, 0, 1], [0, 1, 0, -1]]}))}));
    render({...report, layers});
    for (const details of all('details.try')) {
      details.open = true;
      await rest();
      const marks = () => all('figure.layer > svg .pole').map(mark => mark.getAttribute('d').split('M').length - 1).join();
      const said = details.querySelector('.poles'), choice = details.querySelector('select');
      check(said.textContent === 'no poles in the plot' && marks() === '0', `poles of the first group: ${said.textContent}`);
      choose(choice, 1);
      check(said.textContent === 'poles at −1, 1' && marks() === '2', `poles of the second group: ${said.textContent}`);
      check(/one of the first 2 of 3/.test(details.textContent), 'a group is left out, and nobody says so');
    }
  }

  /** Every layer's are opened; the second coefficient moves, the curve follows, and comes back. */
  async function checkSliders({layers}, shown) {
    const figures = all('figure.layer');
    for (const [i, layer] of layers.entries()) {
      const details = figures[i].querySelector('details.try'), what = `sliders of ${layer.name}`;
      check((details !== null) === layer.learned, `${what}: whether there are some`);
      if (!layer.learned) continue;
      check(all('.tried', figures[i].querySelector(':scope > svg')).length === 0, `${what}: drawn while shut`);
      details.open = true;
      await rest();
      const sliders = all('.sliders input', details), learned = layer.functions.at(-1).coefficients[0];
      check(sliders.length === layer.coefficients.length, `${what}: ${sliders.length} of them`);
      check(sliders.every((slider, k) => Math.abs(slider.value - learned[k]) < 1e-6), `${what}: where they start`);
      checkPlot(figures[i].querySelector(':scope > svg'), what);
      const [slope, tried] = all('.tried', figures[i].querySelector(':scope > svg'));
      const field = details.querySelector('.copied input'), before = tried.getAttribute('d');
      const start = figures[i].querySelector('.learned').getAttribute('d');
      check(field.value === specOf(layer, learned), `${what}: ${field.value}`);
      if (layer.groups === 1)
        for (const [x, y] of pointsOn(start)) {
          const [at, height] = nearest(pointsOn(before), x);
          check(Math.abs(at - x) > 0.02 || Math.abs(height - y) < 0.05, `${what}: not the learned curve at ${x}`);
        }

      const k = Math.min(1, sliders.length - 1), slopeBefore = slope.getAttribute('d');
      move(sliders[k], (Number(sliders[k].value) + Number(sliders[k].max)) / 2);
      await rest();
      check(tried.getAttribute('d') !== before, `${what}: the curve does not follow`);
      check(slope.getAttribute('d') !== slopeBefore, `${what}: the slope does not follow`);
      check(field.value === specOf(layer, learned.map((value, j) => j === k ? Number(sliders[k].value) : value)),
          `${what}: the SPEC does not follow`);
      check(figures[i].querySelector('.learned').getAttribute('d') === start, `${what}: the learned curve moves`);
      checkPlot(figures[i].querySelector(':scope > svg'), `${what}, moved`);

      const copied = [];
      navigator.clipboard.writeText = async text => { copied.push(text); };
      details.querySelector('.copy').click();
      await rest();
      check(copied[0] === field.value, `${what}: copied ${copied}`);
      navigator.clipboard.writeText = async () => { throw new Error('switched off'); };
      details.querySelector('.copy').click();
      await rest();
      check(/^Cop/.test(details.querySelector('.copy').textContent), `${what}: without a clipboard`);

      details.querySelector('.reset').click();
      await rest();
      check(tried.getAttribute('d') === before, `${what}: Reset does not bring the curve back`);
      check(field.value === specOf(layer, learned), `${what}: Reset does not bring the SPEC back`);
      check(document.documentElement.scrollWidth <= window.innerWidth, `${what}: wider than the window`);
      checkGroups(layer, figures[i], what);
    }
    moveTo(0);
    await rest();
    for (const [i, layer] of layers.entries())
      if (layer.learned)
        check(figures[i].querySelector('.copied input').value === specOf(layer, layer.functions[0].coefficients[0]),
            `sliders of ${layer.name}: another epoch`);
    for (const choice of all('details.try select')) choose(choice, 1);
    for (const slider of all('.sliders input:first-of-type')) move(slider, slider.max);
    const specs = () => all('.copied input').map(field => field.value).join('\n'), moved = specs();
    const state = shown.state();
    render(report).restore(JSON.parse(JSON.stringify(state)));
    await rest();
    check(all('details.try').every(details => details.open), 'a reload shuts the sliders');
    check(all('details.try select').every(choice => choice.value === '1'), 'a reload goes to the first group');
    check(specs() === moved, 'a reload moves the sliders');
    check(Number(document.getElementById('epoch').value) === 0, 'a reload goes to the last epoch');
  }

  /** Every kind of function at some places, with its SPEC: the caller asks activation_lab for the same. */
  function functionsHere() {
    const some = [-4.5, -1.25, -0.3, 0.4, 2.1, 5], asked = [];
    const add = (kind, coefficients, values) => {
      const layer = {kind, coefficients};
      asked.push({spec: specOf(layer, values), points: some.map(x => [x, ...functionAt(layer, values, x)]),
        poles: kind.form === 'unsafe' ? polesOf(layer, values, [-5, 5]) : null});
    };
    for (const basis of Object.keys(kRecurrences))
      for (const form of ['termwise', 'whole_sum', 'full_sum', 'unsafe']) {
        const d = form === 'full_sum' ? ['d0', 'd1', 'd2', 'd3', 'd4'] : ['d1', 'd2', 'd3', 'd4'];
        const denominator = form === 'full_sum' ? [0.3, 0.2, -0.4, 0.1, 0.05] : [0.2, -0.9, 0.1, 0.05];
        add({basis, form}, ['c0', 'c1', 'c2', 'c3', ...d], [0.1, -1.2, 0.4, 0.03, ...denominator]);
      }
    const constants = {slope: 0.3, alpha: 0.6, beta: 0.7, gamma: 0.9, delta: 1.1, theta: 0.8, mu: 1.3, a: 0.4, b: 1,
      c1: 0.2, d1: -0.5, e1: 0.3, f1: 1.4, c2: -0.3, d2: -2, e2: -1, f2: 3};
    for (const [formula, f] of Object.entries(kFormulas)) {
      const names = /\{(.*?)\}/.exec(f.toString())[1].split(',').map(name => name.trim());
      add({formula}, names, names.map(name => constants[name]));
    }
    return asked;
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
    const shown = render(report);
    checkPage(report, 'page');
    await checkSliders(report, shown);
    await checkPolesOfGroups();
    render(report);
    checkSlider(report, 'slider');
    checkValues(report);
    checkVariants();
    const functions = document.createElement('script');
    functions.type = 'application/json';
    functions.id = 'functions';
    functions.textContent = JSON.stringify(functionsHere());
    document.body.append(functions);
  } catch (error) {
    problems.push(String(error.stack));
  }
  const result = document.createElement('pre');
  result.id = 'result';
  result.textContent = problems.length > 0 ? `FAILED: ${problems.slice(0, 8).join('; ').replace(/\s+/g, ' ')}`
                                           : `passed ${checks} checks`;
  document.body.append(result);
})();
