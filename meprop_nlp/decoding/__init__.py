"""The trained thing, frozen, over plain arrays: what `tag` and `parse` run. No torch."""
