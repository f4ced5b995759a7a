// Times OPA's wasm build in V8 on the cases of bench/engines, in the columns of bench/peers/opa/main.go. The module takes
// its input as JSON text, so there is no figure for an input read beforehand.
//
//   node bench.mjs CASES OPA      OPA: the executable that compiles the policies
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import opa from "@open-policy-agent/opa-wasm";

const rounds = 5;
const roundNs = 120e6;

function cpuNs() {
  const used = process.cpuUsage();
  return (used.user + used.system) * 1e3;
}

function measure(call) {
  let count = 1;
  for (;;) {
    const start = cpuNs();
    for (let i = 0; i < count; i++) call();
    const took = cpuNs() - start;
    if (took >= roundNs / 2) {
      count = Math.max(1, Math.floor((count * roundNs) / took));
      break;
    }
    count *= 2;
  }
  const results = [];
  for (let r = 0; r < rounds; r++) {
    const start = cpuNs();
    for (let i = 0; i < count; i++) call();
    results.push((cpuNs() - start) / count);
  }
  return results.sort((a, b) => a - b)[rounds >> 1];
}

const [cases, executable] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "opawasm."));
for (const name of readdirSync(cases).sort()) {
  const folder = join(cases, name);
  if (!existsSync(join(folder, "meta.json"))) continue;
  const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8"));
  try {
    const bundle = join(work, name + ".tar.gz");
    const files = meta.files.map((file) => join(folder, file));
    // -O1 fails on some policies, so all are built without.
    execFileSync(executable, ["build", "--v0-compatible", "-t", "wasm", "-O", "0", "-e", `${meta.package}/violation`, "-o", bundle, ...files], { stdio: "pipe" });
    execFileSync("tar", ["-xzf", bundle, "-C", work, "/policy.wasm"]);
    const policy = await opa.loadPolicy(readFileSync(join(work, "policy.wasm")), { initial: 64, maximum: 4096 });
    if (meta.data) policy.setData(JSON.parse(readFileSync(join(folder, "data.json"), "utf8")));
    for (const kind of ["ok", "viol"]) {
      const text = readFileSync(join(folder, kind + ".json"));
      const evaluate = () => policy.evaluate(text.buffer.slice(text.byteOffset, text.byteOffset + text.byteLength));
      const found = evaluate()[0]?.result ?? [];
      console.log([meta.name, kind, "plain", found.length, "-", Math.round(measure(evaluate))].join("\t"));
    }
  } catch (error) {
    console.error(`OPA wasm: ${name}: ${String(error.stderr || error.message || error).trim().split("\n")[0].slice(0, 200)}`);
  }
}
rmSync(work, { recursive: true });
