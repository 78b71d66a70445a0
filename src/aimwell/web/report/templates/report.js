const drawings = JSON.parse(document.getElementById("drawings").textContent);
const plots = [...document.querySelectorAll(".plot")];
const language = () => document.documentElement.lang === "zh" ? "zh" : "en";
let ready = false;

function draw(node) {
  const said = language();
  const drawing = drawings[Number(node.dataset.plot)][said === "zh" ? 0 : 1];
  node.querySelector(".wait")?.remove();
  node.setAttribute("aria-label", node.dataset[said]);
  Plotly.react(node, drawing.data, drawing.layout, { displayModeBar: false });
  sizes.observe(node);
}
const sizes = new ResizeObserver(entries => entries.forEach(({ target }) => {
  if (visible(target) && !document.body.classList.contains("printing")) Plotly.Plots.resize(target);
}));
const visible = node => node.offsetParent !== null;
function drawAll() { if (ready) plots.filter(visible).forEach(draw); }

function speak(said) {
  document.documentElement.lang = said;
  document.title = "Aimwell · " + titles[said];
  drawAll();
}
function switchLanguage() { speak(language() === "zh" ? "en" : "zh"); }

async function unpack() {
  const packed = Uint8Array.from(atob(document.getElementById("library").textContent), letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  ready = true;
  drawAll();
}

document.querySelectorAll("details.fold").forEach(fold => fold.addEventListener("toggle", () => { if (fold.open) drawAll(); }));

// Contents: folded where room is short, the section in sight is marked.
const contents = document.querySelector(".toc details");
const narrow = matchMedia("(max-width: 1080px)");
contents.open = !narrow.matches;
narrow.addEventListener("change", () => { contents.open = !narrow.matches; });
contents.addEventListener("click", event => { if (event.target.closest("a") && narrow.matches) contents.open = false; });
const links = new Map([...document.querySelectorAll(".toc a")].map(link => [link.hash.slice(1), link]));
const watch = new IntersectionObserver(entries => entries.forEach(entry => {
  if (!entry.isIntersecting) return;
  links.forEach(link => link.removeAttribute("aria-current"));
  links.get(entry.target.id)?.setAttribute("aria-current", "true");
}), { rootMargin: "-60px 0px -75% 0px" });
document.querySelectorAll("section").forEach(section => watch.observe(section));

// Paper: one width for all plots while printing, then back to the window's.
addEventListener("beforeprint", () => {
  document.body.classList.add("printing");
  if (ready) plots.filter(visible).forEach(node => Plotly.relayout(node, { width: node.clientWidth, autosize: false }));
});
addEventListener("afterprint", () => {
  document.body.classList.remove("printing");
  if (ready) plots.filter(visible).forEach(node => Plotly.relayout(node, { width: null, autosize: true }));
});

if (location.hash === "#en" || location.hash === "#zh") speak(location.hash.slice(1));
unpack().catch(() => document.querySelectorAll(".plot .wait").forEach(node => { node.textContent = failed[language()]; }));
