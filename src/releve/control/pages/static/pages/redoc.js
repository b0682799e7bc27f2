// Starts Redoc on this server's own API document, in the system's fonts.

const container = document.getElementById("redoc");
const sans = getComputedStyle(document.body).fontFamily;

Redoc.init(
  container.dataset.schema,
  {
    hideLoading: true,
    nativeScrollbars: true,
    scrollYOffset: 56,
    theme: {
      colors: { primary: { main: "#0b5f55" } },
      typography: { fontFamily: sans, headings: { fontFamily: sans } },
    },
  },
  container,
);
