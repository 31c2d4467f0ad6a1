/* The definition of a term beside its link, on hover and on keyboard focus. Without this script the link is a link. */
(() => {
  const popup = Object.assign(document.createElement("div"), { className: "glossary-popup", id: "glossary-popup", hidden: true });
  popup.setAttribute("role", "tooltip");
  document.body.append(popup);
  const cards = document.querySelector("template.glossary-cards")?.content;
  let owner = null, timer = 0;

  function show(link, card) {
    clearTimeout(timer);
    if (owner === link) return;
    hide();
    owner = link;
    link.setAttribute("aria-describedby", popup.id);
    popup.replaceChildren(...[...card.childNodes].map((node) => node.cloneNode(true)));
    popup.hidden = false;
    const box = link.getClientRects()[0] ?? link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - popup.offsetWidth - 16;
    popup.style.left = `${Math.max(16, Math.min(box.left, room)) + scrollX}px`;
    const below = box.bottom + popup.offsetHeight + 8 < innerHeight;
    popup.style.top = `${(below ? box.bottom + 4 : box.top - popup.offsetHeight - 4) + scrollY}px`;
  }
  function hide() {
    popup.hidden = true;
    owner?.removeAttribute("aria-describedby");
    owner = null;
  }
  const hideSoon = () => { clearTimeout(timer); timer = setTimeout(hide, 250); };

  popup.addEventListener("mouseenter", () => clearTimeout(timer));
  popup.addEventListener("mouseleave", hideSoon);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("resize", hide); // its place was measured on the page as it was

  for (const inner of document.querySelectorAll("a.reference .std-term")) {
    const link = inner.closest("a");
    const card = cards?.getElementById(`card-${link.getAttribute("href").split("#")[1]}`);
    if (!card) continue;
    link.classList.add("has-card");
    link.addEventListener("mouseenter", () => show(link, card));
    link.addEventListener("focus", () => show(link, card));
    link.addEventListener("mouseleave", hideSoon);
    link.addEventListener("blur", hide);
  }
})();
