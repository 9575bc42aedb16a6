//! The tutor with a tool of your own: it can work out what a robot's joint is told, instead of guessing.
//!
//! ```text
//! GEMINI_API_KEY=… cargo run --example custom_tool
//! ```
//!
//! The model decides when to call it; the offline model never does. Settings are those of the program.

use async_trait::async_trait;
use chatkit_gateway::agent::tools::{Tool, ToolOutput};
use chatkit_gateway::chat::Turn;
use chatkit_gateway::llm::ToolSpec;
use serde::Deserialize;
use serde_json::json;

/// Works out one step of a PID controller.
struct PidStep;

#[derive(Deserialize)]
struct Arguments {
    gains: [f64; 3],
    error: f64,
    error_before: f64,
    error_sum: f64,
    step_seconds: f64,
}

#[async_trait]
impl Tool for PidStep {
    fn spec(&self) -> ToolSpec {
        let number = |meaning: &str| json!({"type": "number", "description": meaning});
        ToolSpec {
            name: "pid_step".to_owned(),
            description: "Works out the output of a PID controller for one step.".to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "gains": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3,
                              "description": "The gains: proportional, integral, derivative."},
                    "error": number("The error now."),
                    "error_before": number("The error one step ago."),
                    "error_sum": number("The integral of the error up to one step ago."),
                    "step_seconds": number("How long a step is, in seconds."),
                },
                "required": ["gains", "error", "error_before", "error_sum", "step_seconds"],
            }),
        }
    }

    async fn call(&self, arguments: &str, _: &Turn) -> ToolOutput {
        // What a model writes may be anything; it is told what was wrong, and can try again.
        match serde_json::from_str(arguments) {
            Ok(Arguments { step_seconds, .. }) if step_seconds <= 0.0 => ToolOutput::note("A step takes some time."),
            Ok(Arguments { gains: [kp, ki, kd], error, error_before, error_sum, step_seconds }) => {
                let integral = error_sum + error * step_seconds;
                let derivative = (error - error_before) / step_seconds;
                ToolOutput::note(format!("output = {}", kp * error + ki * integral + kd * derivative))
            }
            Err(problem) => ToolOutput::note(format!("These arguments make no sense: {problem}")),
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chatkit_gateway::serve_tutor(|tutor| tutor.with(PidStep)).await
}
