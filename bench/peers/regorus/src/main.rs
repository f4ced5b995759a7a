// Times regorus in RVM mode on the cases of bench/engines: one line per case and input, in the columns of
// bench/peers/opa/main.go.
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Rc, Value};
use std::path::Path;
use std::{env, error::Error, fs};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const ROUND_NS: f64 = 120e6;

fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn measure(mut call: impl FnMut()) -> f64 {
    let mut count = 1usize;
    loop {
        let start = cpu_ns();
        (0..count).for_each(|_| call());
        let took = cpu_ns() - start;
        if took >= ROUND_NS / 2.0 {
            count = ((count as f64 * ROUND_NS / took) as usize).max(1);
            break;
        }
        count *= 2;
    }
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = cpu_ns();
            (0..count).for_each(|_| call());
            (cpu_ns() - start) / count as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn size(value: &Value) -> usize {
    match value {
        Value::Set(set) => set.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    }
}

fn bench_case(folder: &Path) -> Result<(), Box<dyn Error>> {
    let meta: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.join("meta.json"))?)?;
    let name = meta["name"].as_str().ok_or("name")?;
    let mut engine = Engine::new();
    for file in meta["files"].as_array().ok_or("files")? {
        let file = file.as_str().ok_or("file")?;
        engine.add_policy(file.to_string(), fs::read_to_string(folder.join("v1").join(file))?)?;
    }
    let data = match meta["data"].as_bool() {
        Some(true) => Value::from_json_str(&fs::read_to_string(folder.join("data.json"))?)?,
        _ => Value::new_object(),
    };
    let rule: Rc<str> = format!("data.{}.violation", meta["package"].as_str().ok_or("package")?).into();
    let policy = engine.compile_with_entrypoint(&rule)?;
    let program = Compiler::compile_from_policy(&policy, &[&rule])?;
    let mut vm = RegoVM::new_with_policy(policy);
    vm.set_max_instructions(usize::MAX);
    vm.load_program(program);
    vm.set_data(data)?;
    for kind in ["ok", "viol"] {
        let text = fs::read_to_string(folder.join(format!("{kind}.json")))?;
        let input = Value::from_json_str(&text)?;
        vm.set_input(input.clone());
        let violations = size(&vm.execute()?);
        let parsed = measure(|| {
            vm.set_input(input.clone());
            vm.execute().expect("evaluates");
        });
        let bytes = measure(|| {
            vm.set_input(Value::from_json_str(&text).expect("parses"));
            vm.execute().expect("evaluates");
        });
        println!("{name}\t{kind}\tplain\t{violations}\t{parsed:.0}\t{bytes:.0}");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let cases = env::args().nth(1).ok_or("usage: regorusbench CASES")?;
    let mut folders: Vec<_> = fs::read_dir(cases)?.filter_map(|e| e.ok().map(|e| e.path())).collect();
    folders.sort();
    for folder in folders.iter().filter(|f| f.join("meta.json").exists()) {
        if let Err(error) = bench_case(folder) {
            eprintln!("regorus: {}: {error}", folder.display());
        }
    }
    Ok(())
}
