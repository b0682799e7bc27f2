// Lets the API viewers' own style elements pass the content security policy, and keeps their pictures on this host.

const { nonce } = document.currentScript;
const createElement = document.createElement.bind(document);

document.createElement = (name, options) => {
  const element = createElement(name, options);
  if (element instanceof HTMLStyleElement) element.setAttribute("nonce", nonce);
  if (element instanceof HTMLImageElement) keepHome(element);
  return element;
};

// Redoc's footer asks its maker's host for a logo; without it the footer stands as well.
function keepHome(image) {
  const setAttribute = image.setAttribute.bind(image);
  image.setAttribute = (name, value) => {
    const isForeign = name === "src" && new URL(value, document.baseURI).origin !== location.origin && !value.startsWith("data:");
    if (isForeign) setTimeout(() => image.dispatchEvent(new Event("error")));
    else setAttribute(name, value);
  };
  Object.defineProperty(image, "src", { get: () => image.getAttribute("src") ?? "", set: (value) => image.setAttribute("src", value) });
}
