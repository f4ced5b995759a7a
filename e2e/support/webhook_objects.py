#!/usr/bin/env python3
"""Prints config/webhook.yaml fitted to a manager that runs on this machine.

usage: webhook_objects.py PORT FAILURE_POLICY [--by-url]
The API server reaches the webhook through its Service, as in a cluster, so that the name in the certificate is the one
that is checked; the Service is of type ExternalName and points at localhost. With --by-url the registration names
https://127.0.0.1:PORT instead, as for a manager outside the cluster. Timeouts are long: machines are shared.
"""
import os
import sys

import yaml

port, failure_policy, by_url = int(sys.argv[1]), sys.argv[2], "--by-url" in sys.argv[3:]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "config", "webhook.yaml")
with open(path, encoding="utf-8") as text:
    documents = list(yaml.safe_load_all(text))
for document in documents:
    if document["kind"] == "Service":
        document["spec"] = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    for webhook in document.get("webhooks", []):
        service = webhook["clientConfig"]["service"]
        service["port"] = port
        if by_url:
            webhook["clientConfig"] = {"url": f"https://127.0.0.1:{port}{service['path']}"}
        webhook["timeoutSeconds"] = 10
        webhook["failurePolicy"] = failure_policy
print(yaml.safe_dump_all(documents))
