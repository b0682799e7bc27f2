// Lets the API viewers' own style elements pass the content security policy: each gets this page's nonce.

const { nonce } = document.currentScript;
const createElement = document.createElement.bind(document);

document.createElement = (name, options) => {
  const element = createElement(name, options);
  if (element instanceof HTMLStyleElement) element.setAttribute("nonce", nonce);
  return element;
};
