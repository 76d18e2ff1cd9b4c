"""Rules: which function applies which T-event at which kind of DN."""

from __future__ import annotations

from . import agent_state, mediation_dn, monitoring, regular_dn, supervision, tenant

REGULAR_RULES = {
    **regular_dn.RULES,
    **supervision.RULES,
    **agent_state.RULES,
    **monitoring.DN_RULES,
}
MEDIATION_RULES = {**mediation_dn.RULES, **monitoring.DN_RULES}
WORLD_RULES = {**monitoring.WORLD_RULES, **tenant.RULES}  # of what concerns no single DN
