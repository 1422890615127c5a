"""The block that tells a person where to look."""

from __future__ import annotations

from callcenter.serve.launcher import Launcher


def where_to_look(launcher: Launcher) -> str:
    """Addresses, notices of the roles (the first password among them), and how to stop; Chinese and English."""
    settings = launcher.settings
    rows: list[tuple[str, str]] = []
    if launcher.sip_address:
        lines = sum(1 for name in launcher.children if name.startswith("line-"))
        callers = lines * settings.line.callers_per_line
        front = {"kamailio": "Kamailio", "direct": "direct, no Kamailio", "external": "external Kamailio"}
        room = f"{lines} 路 lines, {callers} 方 callers, " if lines else ""
        rows.append(("电话 Telephone", f"sip:hotline@{launcher.sip_address}  ({room}{front[launcher.plan.edge_mode]})"))
    if launcher.desk_url:
        rows.append(("页面 Pages", launcher.desk_url))
    speech = launcher.ports("speech").get("transcribe")
    if speech:
        rows.append(("转写 Speech", f"ws://{settings.speech.bind_host}:{speech}"))
    rows.extend(("注意 Notice", notice) for notice in (*launcher.plan.notices, *launcher.notices))
    troubled = [child.spec.name for child in launcher.children.values() if child.state != "ready"]
    if troubled:
        rows.append(("未就绪 Not ready", ", ".join(troubled) + " (still being tried; see the log above)"))
    rows.append(("状态 State", str(launcher.state_file)))
    rows.append(("停止 Stop", "Ctrl-C: 通话结束后停止 calls end in peace; 再按一次 twice: within 5 s"))
    title = "热线已就绪 The hotline is up" if launcher.ready else "热线部分就绪 The hotline is up in part"
    width = max(_columns(label) for label, _ in rows)
    body = [f"  {label}{' ' * (width - _columns(label))}  {text}" for label, text in rows]
    return "\n".join(["", f"  {title}", "  " + "─" * 72, *body, ""])


def _columns(text: str) -> int:
    """Width on a terminal: a Chinese character takes two columns."""
    return sum(2 if ord(c) >= 0x1100 else 1 for c in text)
