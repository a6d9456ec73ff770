# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0

"""As much of a Kubernetes API as discovery needs: objects, tokens and roles, over HTTPS.

kubernetes_api.py FOLDER PORT, where FOLDER has cert.pem, key.pem and tokens.json, user by token:
admin, who may do everything, or system:serviceaccount:NAMESPACE:NAME, who may do what Roles and
RoleBindings grant. The objects are kept in objects.json there, by path; log has a line for each
request.
"""

from __future__ import annotations

import http.server
import json
import re
import ssl
import sys
import typing as t
from pathlib import Path

Object = t.Dict[str, t.Any]
Reply = t.Tuple[int, Object]

RBAC = "rbac.authorization.k8s.io"
KINDS: dict[str, dict[str, str]] = {
    "v1": {
        "endpoints": "Endpoints",
        "secrets": "Secret",
        "serviceaccounts": "ServiceAccount",
        "services": "Service",
    },
    f"{RBAC}/v1": {"roles": "Role", "rolebindings": "RoleBinding"},
}
VERBS = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}
OBJECT = re.compile(
    r"/apis?/(?P<version>v1|[^/]+/v1)/namespaces/(?P<namespace>[^/]+)/(?P<resource>[^/]+)"
    r"(?:/(?P<name>[^/]+))?"
)


class Api:
    """The objects, and who may do what with them."""

    def __init__(self, folder: Path) -> None:
        self.file, self.log = folder / "objects.json", folder / "log"
        self.users: dict[str, str] = json.loads((folder / "tokens.json").read_text())

    def answer(self, method: str, url: str, token: str, body: Object) -> Reply:
        user = self.users.get(token, "")
        path, _separator, query = url.partition("?")
        status, answer = self._answer(method, path, user, body, "dryRun" in query)
        with self.log.open("a") as log:
            log.write(f"{user or 'nobody'} {VERBS[method]} {path} {status}\n")
        return status, answer

    def _answer(self, method: str, path: str, user: str, body: Object, dry: bool) -> Reply:
        if not user:
            return refusal(401, "Unauthorized")
        known = discovery(path)
        if known:
            return 200, known
        found = OBJECT.fullmatch(path)
        if not found or found["resource"] not in KINDS[found["version"]]:
            return refusal(404, "the server could not find the requested resource")
        objects: dict[str, Object] = json.loads(self.file.read_text()) if self.file.exists() else {}
        if not allowed(objects, user, VERBS[method], found):
            what = f'{found["resource"]} "{found["name"]}" is forbidden'
            return refusal(403, f'{what}: User "{user}" cannot {VERBS[method]} it')
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
        if method != "POST" and path not in objects:
            return refusal(404, f'{found["resource"]} "{found["name"]}" not found')
        if method == "GET":
            return 200, objects[path]
        answer = objects.pop(path) if method == "DELETE" else merged(objects.get(path, {}), body)
        if method != "DELETE":
            objects[path] = answer
        if not dry:
            self.file.write_text(json.dumps(objects))
        return (201 if method == "POST" else 200), answer


def refusal(status: int, message: str) -> Reply:
    return status, {"kind": "Status", "apiVersion": "v1", "code": status, "message": message}


def discovery(path: str) -> Object | None:
    """Return what tells a client of the objects that there may be."""
    if path == "/version":
        return {"major": "1", "minor": "37", "gitVersion": "v1.37.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        version = {"groupVersion": f"{RBAC}/v1", "version": "v1"}
        group = {"name": RBAC, "versions": [version], "preferredVersion": version}
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}
    group_version = re.sub("^/apis?/", "", path)
    if group_version not in KINDS:
        return None
    resources = [
        {
            "name": name,
            "singularName": "",
            "namespaced": True,
            "kind": kind,
            "verbs": [*VERBS.values()],
        }
        for name, kind in KINDS[group_version].items()
    ]
    return {"kind": "APIResourceList", "groupVersion": group_version, "resources": resources}


def allowed(objects: t.Mapping[str, Object], user: str, verb: str, what: t.Match[str]) -> bool:
    if user == "admin":
        return True
    folder = f"/apis/{RBAC}/v1/namespaces/{what['namespace']}"
    for path, binding in objects.items():
        if not path.startswith(f"{folder}/rolebindings/"):
            continue
        subjects = [
            f"system:serviceaccount:{each['namespace']}:{each['name']}"
            for each in binding["subjects"]
        ]
        role = objects.get(f"{folder}/roles/{binding['roleRef']['name']}", {"rules": []})
        if user in subjects and any(covers(rule, verb, what) for rule in role["rules"]):
            return True
    return False


def covers(rule: t.Mapping[str, t.Any], verb: str, what: t.Match[str]) -> bool:
    named = what["name"] in rule.get("resourceNames", [what["name"]])
    return named and verb in rule["verbs"] and what["resource"] in rule["resources"]


def merged(old: t.Any, new: t.Any) -> t.Any:
    """Merge as a strategic merge patch does for lists that have no key."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    kept = {key: value for key, value in old.items() if key not in new}
    return {**kept, **{key: merged(old.get(key), new[key]) for key in new}}


def serve(folder: Path, port: int) -> None:
    api = Api(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = str(self.headers.get("Authorization", "")).partition("Bearer ")[2].strip()
            given = json.loads(body) if body else {}
            status, answer = api.answer(self.command, self.path, token, given)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = http.server.ThreadingHTTPServer(("", port), Handler)
    # Hands are shaken in the thread of the connection.
    server.socket = context.wrap_socket(server.socket, True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
