"""What AWS IoT's HTTP rule action posts, and its handshake."""
