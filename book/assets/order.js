/* The button that copies a cell stands above the cell's links on the page: Tab meets it first, too. */
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("pre + button.copybtn")) button.previousElementSibling.before(button);
});
