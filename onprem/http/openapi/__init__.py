"""What the API is, said by the code: the OpenAPI document and the page that shows it."""
