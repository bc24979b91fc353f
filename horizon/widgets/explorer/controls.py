"""An explorer's controls: where its parameters stand, and what was written there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from horizon import checks
from horizon.widgets.explorer.space import parameters_of
from horizon.widgets.fields import FieldError, Form

__all__ = ["Controls"]


class Controls:
    """The parameters' fields, and the setting that was last read from them.

    Parameters
    ----------
    params, start : mapping
        As `parameters_of` takes them.

    Attributes
    ----------
    form : Form
        What the fields hold.
    setting : dict of str to value
    """

    def __init__(self, params: object, start: Mapping[str, Any] | None) -> None:
        self._parameters = parameters_of(params, start)
        self.form = Form({one.key: one.write(one.start) for one in self._parameters.values()})
        self.setting = {name: one.start for name, one in self._parameters.items()}

    @property
    def names(self) -> list[str]:
        """The parameters' names."""
        return list(self._parameters)

    def changed(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the setting with some values changed, which are checked.

        Raises
        ------
        TypeError, ValueError
            For a parameter that there is not, or a value that is none of its own.
        """
        setting = dict(self.setting)
        for name, value in params.items():
            if name not in self._parameters:
                raise TypeError(
                    f"run has no parameter {name!r}, it has {', '.join(self._parameters)}"
                    f"{checks.suggestion(name, self._parameters)}"
                )
            setting[name] = self._parameters[name].take(value)
        return setting

    def put(self, setting: Mapping[str, Any]) -> None:
        """Let the fields stand at a setting."""
        self.setting = dict(setting)
        for name, value in setting.items():
            one = self._parameters[name]
            self.form.values[one.key] = one.write(value)
        self.form.wrong.clear()

    def read(self) -> bool:
        """Read the setting; False where a field cannot be read, which it then says."""
        setting = {}
        self.form.wrong.clear()
        for name, one in self._parameters.items():
            try:
                setting[name] = one.read(self.form.values[one.key])
            except FieldError as error:
                self.form.wrong[one.key] = str(error)
        if not self.form.wrong:
            self.setting = setting
        return not self.form.wrong

    def picture(self) -> dict[str, Any]:
        """What the page draws the form from."""
        return self.form.picture([one.field() for one in self._parameters.values()])
