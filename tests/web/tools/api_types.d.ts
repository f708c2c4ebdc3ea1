// `Api["DocumentBody"]` in a comment of the page's scripts is that schema of the OpenAPI document.
type Api = import("./build/api").components["schemas"];
