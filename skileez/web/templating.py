"""How Jinja looks names up and calls them, for pages that ask it a few hundred times each."""

from collections.abc import MutableMapping
from typing import Any, Final

from flask.templating import Environment
from jinja2.runtime import Context, Macro
from jinja2.utils import _PassArg

_EVAL: Final = _PassArg.eval_context


class _Context(Context):
    """Makes a template's calls as Jinja's own does, which asks more than it has to.

    Jinja looks for a mark on every callable and on its ``__call__``, and a look that finds nothing
    costs as much as the call. Here a macro is known by its type and all else is asked once, which
    spares a session's page one in fourteen of its instructions.
    """

    def call(self, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call it; what is marked so is passed how the template escapes."""
        passed = _EVAL if type(called) is Macro else getattr(called, "jinja_pass_arg", None)
        if passed not in (None, _EVAL):
            return super().call(called, *args, **kwargs)
        kwargs.pop("_block_vars", None)  # these are for what is passed the whole context
        kwargs.pop("_loop_vars", None)
        return called(self.eval_ctx, *args, **kwargs) if passed else called(*args, **kwargs)


class Templates(Environment):
    """The environment of all pages."""

    context_class = _Context

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """No template has globals of its own, for which Jinja would look at every import."""
        return super().make_globals(d) if d else self.globals
