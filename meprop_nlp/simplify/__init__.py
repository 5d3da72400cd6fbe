"""meSimp for any network of meProp layers: which neurons are cut, when, and how."""
