"""The launcher: starts the roles of a house in order, watches them, and ends them in order."""

from callcenter.serve.child import EXIT_CANNOT_HEAL, Event
from callcenter.serve.launcher import Launcher, serve
from callcenter.serve.plan import Role, make_plan
from callcenter.serve.show import where_to_look

__all__ = ["EXIT_CANNOT_HEAL", "Event", "Launcher", "Role", "make_plan", "serve", "where_to_look"]
