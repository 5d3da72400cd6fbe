"""Networks made of `nn` layers over vocabularies of `data`, and the loop that trains them."""
