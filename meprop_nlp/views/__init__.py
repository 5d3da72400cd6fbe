"""Trees to look at: a page for the browser, drawings for the terminal."""
