"""The pages that explain: about Relevé, and the API document."""
