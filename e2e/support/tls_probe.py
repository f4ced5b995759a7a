#!/usr/bin/env python3
"""Opens new TLS connections to the webhook, one after the other, trusting what the webhook configuration says to trust.

usage: tls_probe.py KUBECTL KUBECONFIG PORT SERVER_NAME SECONDS [STOPFILE]
The caBundle is read again before each connection, as the API server sees it. Prints {"ok": n, "failed": n, "sample": text}.
"""
import base64
import json
import os
import socket
import ssl
import subprocess
import sys
import time

kubectl, kubeconfig, port, server_name, seconds = sys.argv[1:6]
stop = sys.argv[6] if len(sys.argv) > 6 else None
ok = failed = 0
sample = ""
end = time.monotonic() + float(seconds)
while time.monotonic() < end and not (stop and os.path.exists(stop)):
    got = subprocess.run([kubectl, "--kubeconfig", kubeconfig, "get", "validatingwebhookconfiguration",
                          "gatekeeper-validating-webhook-configuration", "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}"],
                         capture_output=True, text=True, check=False)
    try:
        context = ssl.create_default_context(cadata=base64.b64decode(got.stdout).decode())
        with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as raw:
            with context.wrap_socket(raw, server_hostname=server_name):
                ok += 1
    except (OSError, ssl.SSLError, ValueError) as error:
        failed += 1
        sample = sample or str(error)
print(json.dumps({"ok": ok, "failed": failed, "sample": sample}))
