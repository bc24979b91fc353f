"""Front ends in a notebook: the live desk and its parts."""
