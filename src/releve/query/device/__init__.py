"""Reading back a device, and what people send to it."""
