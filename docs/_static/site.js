/* Figures are drawn while the page is still read, before the list beside it takes its room. */
addEventListener("DOMContentLoaded", () => {
  const article = document.querySelector(".bd-article");
  if (!article) return;
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === width) return;
    width = contentRect.width;
    dispatchEvent(new Event("resize")); // plotly listens to the window alone
  }).observe(article);
});
