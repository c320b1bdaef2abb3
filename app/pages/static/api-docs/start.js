// Starts Swagger UI with the document that the page names. Inline scripts are not allowed on the page.
const page = document.getElementById("swagger-ui");
SwaggerUIBundle({
  url: page.dataset.document,
  domNode: page,
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
