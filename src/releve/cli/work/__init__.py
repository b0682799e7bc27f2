"""What commands do with the control plane's services; imported once Django is set up, as models demand."""
