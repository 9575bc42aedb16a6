// The address is relative to the page's, as those in the page are.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#doors",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  // Nobody else is told of the document.
  validatorUrl: null,
});
