"""Who is asking: tokens, visitors without one, and what ends them."""
