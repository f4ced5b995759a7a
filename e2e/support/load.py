#!/usr/bin/env python3
"""Sends create requests (dry run) for one object to the API server, one after the other, and says how they were answered.

usage: load.py KUBECONFIG PATH OBJECT.json SECONDS [STOPFILE]
Every request is a new object name. Ends after SECONDS, or when STOPFILE exists. Prints one JSON line:
{"admitted": n, "denied": n, "webhook_failed": n, "unreachable": n, "other": n, "samples": {...}}
denied = refused by a policy; webhook_failed = the API server could not ask the webhook (failurePolicy Fail).
"""
import base64
import http.client
import json
import os
import re
import ssl
import sys
import time


def kubeconfig(path):
    with open(path, encoding="utf-8") as text:
        content = text.read()
    pick = lambda pattern: re.search(pattern, content).group(1)
    return (pick(r"server: \"?https://([^\",}\s]+)"), base64.b64decode(pick(r"certificate-authority-data: ([^\s,}]+)")).decode(),
            pick(r"token: ([^\s}]+)"))


def classify(status, body):
    if status in (200, 201):
        return "admitted"
    message = json.loads(body).get("message", "") if body.startswith(b"{") else body.decode(errors="replace")
    if "denied the request" in message:
        return "denied"
    if "failed calling webhook" in message:
        return "webhook_failed"
    return "other"


def main():
    config, path, object_file, seconds = sys.argv[1:5]
    stop = sys.argv[5] if len(sys.argv) > 5 else None
    server, authority, token = kubeconfig(config)
    context = ssl.create_default_context(cadata=authority)
    with open(object_file, encoding="utf-8") as text:
        base = json.load(text)
    counts = {"admitted": 0, "denied": 0, "webhook_failed": 0, "unreachable": 0, "other": 0}
    samples = {}
    connection, number, end = None, 0, time.monotonic() + float(seconds)
    while time.monotonic() < end and not (stop and os.path.exists(stop)):
        number += 1
        base["metadata"]["name"] = f"load-{os.getpid()}-{number}"
        try:
            if connection is None:
                connection = http.client.HTTPSConnection(server, timeout=15, context=context)
            connection.request("POST", path + "?dryRun=All", json.dumps(base),
                               {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
            response = connection.getresponse()
            body = response.read()
            kind = classify(response.status, body)
        except (OSError, http.client.HTTPException) as error:
            connection, kind, body = None, "unreachable", str(error).encode()
            time.sleep(0.02)
        counts[kind] += 1
        samples.setdefault(kind, body.decode(errors="replace")[:400])
    print(json.dumps({**counts, "samples": samples}))


main()
