"""Samples of races over HTTP, as contract B sends them."""
