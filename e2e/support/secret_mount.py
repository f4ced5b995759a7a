#!/usr/bin/env python3
"""Stands in for the kubelet: keeps a folder equal to the webhook's certificate Secret, as a Secret volume would.

usage: secret_mount.py KUBECTL KUBECONFIG NAMESPACE SECRET FOLDER
Files change together, behind one symbolic link that is swapped, as the kubelet does it. Runs until it is ended.
"""
import base64
import json
import os
import subprocess
import sys
import time

kubectl, kubeconfig, namespace, secret, folder = sys.argv[1:6]
generation = 0


def publish(data):
    global generation
    generation += 1
    fresh = os.path.join(folder, f"..data-{generation}")
    os.makedirs(fresh)
    for name, value in data.items():
        with open(os.path.join(fresh, name), "wb") as out:
            out.write(base64.b64decode(value))
    link = os.path.join(folder, "..data.new")
    os.symlink(os.path.basename(fresh), link)
    os.replace(link, os.path.join(folder, "..data"))
    for name in data:
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            os.symlink(os.path.join("..data", name), path)


def watch():
    command = [kubectl, "--kubeconfig", kubeconfig, "-n", namespace, "get", "secret", "--field-selector",
               f"metadata.name={secret}", "--watch", "-o", "json"]
    decoder, text = json.JSONDecoder(), ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            while line := process.stdout.readline():
                text += line
                if not line.startswith("}"):  # an object ends at a brace in the first column
                    continue
                item, end = decoder.raw_decode(text)
                text = text[end:].lstrip()
                if item.get("data"):
                    publish(item["data"])
        finally:
            process.kill()


os.makedirs(folder, exist_ok=True)
while True:
    watch()
    time.sleep(0.2)  # the API server went away; watch again
