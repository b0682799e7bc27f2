"""Where runs begin and end: the rules of their kinds, and what cars say."""
