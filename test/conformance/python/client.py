"""Talks to the program as an assistant does, through the official client for Python, over stdio and HTTP, in the revisions that
the installed version has. It prints a line for each step: «ok …» or «FAIL …». Argument: the program."""

import asyncio
import base64
import contextlib
import importlib.metadata
import re
import subprocess
import sys

import mcp

VERSION = importlib.metadata.version("mcp")
NEW = hasattr(mcp, "Client")  # version 2
TIMEOUT = 60  # seconds for a session
NEW_BORROWER = {
    "process": "1042",
    "borrowerTypeId": 2,
    "keyBorrowerRelationId": 1,
    "personal": {
        "name": "Rui Amostra", "birthDate": "1990-04-12", "taxId": "299999998", "mobile": "912345678",
        "email": "rui@example.com", "genderId": 2,
    },
}


@contextlib.asynccontextmanager
async def connect(revision, server):
    """Yields a session, and the revision, name and instructions that were negotiated."""
    over_http = isinstance(server, str)
    stdio = None if over_http else mcp.StdioServerParameters(command=server[0], args=server[1:])
    if NEW:
        target = server if over_http else mcp.stdio_client(stdio, errlog=subprocess.DEVNULL)
        async with mcp.Client(target, mode="legacy" if revision == "2025-11-25" else "auto") as client:
            yield client, client.protocol_version, client.server_info.name, client.instructions
        return
    if over_http:
        from mcp.client.streamable_http import streamable_http_client

        transport = streamable_http_client(server)
    else:
        transport = mcp.stdio_client(stdio, errlog=subprocess.DEVNULL)
    async with transport as streams, mcp.ClientSession(streams[0], streams[1]) as session:
        hello = await session.initialize()
        yield session, hello.protocolVersion, hello.serverInfo.name, hello.instructions


def wire(model):
    """Returns a model as it is on the wire: the versions name its members differently."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class Run:
    def __init__(self, session):
        self.session = session
        self.progress = []

    async def call(self, tool, args):
        async def progressed(progress, total, message):
            self.progress.append((progress, total))

        return wire(await self.session.call_tool(tool, args, progress_callback=progressed))

    async def succeeded(self, tool, args):
        """Makes a call that has to succeed. The client itself checks structuredContent against the tool's outputSchema."""
        result = await self.call(tool, args)
        assert not result.get("isError"), result["content"]
        assert result["content"][0]["text"]
        return result["structuredContent"]

    async def lists(self):
        tools = wire(await self.session.list_tools())["tools"]
        assert len(tools) > 10 and all(tool["outputSchema"] and tool["annotations"] for tool in tools)
        assert wire(await self.session.list_prompts())["prompts"]
        assert wire(await self.session.list_resource_templates())["resourceTemplates"]

    async def reads(self):
        assert (await self.succeeded("find_processes", {}))["processes"]
        assert (await self.succeeded("get_process", {"process": "1043"}))["number"] == 1043
        read = await self.succeeded("read_operation", {"operation": "get_process", "arguments": {"process": "1043"}})
        assert read["number"] == 1043
        esis = wire(await self.session.read_resource("balcao://processes/1043/esis"))
        assert base64.b64decode(esis["contents"][0]["blob"]).startswith(b"%PDF")
        prompt = wire(await self.session.get_prompt("explain_esis", {"process": "1043"}))
        assert "1043" in prompt["messages"][0]["content"]["text"]

    async def writes(self):
        lacking = {"process": "1043", "borrowerTypeId": 2, "personal": {"name": "Rui Amostra"}}
        draft = (await self.succeeded("create_borrower", lacking))["approval"]
        assert draft["status"] == "draft" and "personal.taxId" in draft["missing"], draft
        await self.succeeded("withdraw_approval", {"approval": draft["id"]})
        asked = (await self.succeeded("create_borrower", NEW_BORROWER))["approval"]
        assert asked["status"] == "waiting", asked
        self.progress.clear()
        waited = await self.succeeded("await_approval", {"approval": asked["id"], "seconds": 1})
        assert waited["approval"]["status"] == "waiting", waited
        assert self.progress, "no progress"
        withdrawn = (await self.succeeded("withdraw_approval", {"approval": asked["id"]}))["approval"]
        assert withdrawn["id"] == asked["id"] and withdrawn["status"] != "waiting", withdrawn

    async def errors(self):
        for tool, args in (
            ("get_process", {"process": "9999"}),
            ("create_borrower", {"process": "1042", "borrowerType": 1}),
            ("await_approval", {"approval": "none"}),
        ):
            result = await self.call(tool, args)
            assert result["isError"] and result["content"][0]["text"] and "structuredContent" not in result, result
        for refused, codes in (
            (lambda: self.session.call_tool("no_such_tool", {}), (-32602,)),
            (lambda: self.session.read_resource("balcao://processes/9999"), (-32002, -32602)),
            (lambda: self.session.get_prompt("no_such_prompt"), (-32602,)),
        ):
            try:
                await refused()
            except (mcp.MCPError if NEW else mcp.McpError) as error:
                assert error.error.code in codes, error
            else:
                raise AssertionError("it is not refused")


async def converse(revision, transport, server):
    """Runs all steps, and returns whether they succeed."""
    about, passed = f"python-{VERSION} {revision} {transport}", True
    async with asyncio.timeout(TIMEOUT), connect(revision, server) as (session, negotiated, name, instructions):
        assert (negotiated, name) == (revision, "balcao") and instructions, (negotiated, name)
        run = Run(session)
        for step, do in (("list", run.lists), ("read", run.reads), ("write that waits", run.writes), ("errors", run.errors)):
            try:
                await do()
                print(f"ok {about}: {step}")
            except Exception as error:
                passed = False
                print(f"FAIL {about}: {step}: {error!r}")
    return passed


def main(program):
    command = [program, "-playground", "-open=false"]
    over_http = subprocess.Popen([*command, "-http", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = next(found[0] for line in over_http.stdout if (found := re.search(r"http://\S+/mcp", line)))
        revisions = ["2025-11-25", "2026-07-28"] if NEW else ["2025-11-25"]
        passed = [
            asyncio.run(converse(revision, transport, server))
            for revision in revisions
            for transport, server in (("http", url), ("stdio", command))
        ]
    finally:
        over_http.terminate()
        over_http.wait(timeout=TIMEOUT)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
