"""What is measured on dev when a network has learnt: how much its confidence and facts count."""
