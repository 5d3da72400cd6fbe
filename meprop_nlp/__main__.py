"""`python -m meprop_nlp` is the command line."""

from meprop_nlp.cli import main

if __name__ == "__main__":
    main()
