//! The space-time diagram as a picture for a report: SVG 1.1, time to the right.
//!
//! | module | job |
//! | --- | --- |
//! | `plan` | the geometry: lanes, and the scale of the axis |
//! | `sections`, `clients` | the bars: critical sections, terms of leaders, and the connections that a thread serves |
//! | `cuts` | the cuts of snapshots, as lines through all lanes |
//! | `axis`, `lanes`, `messages`, `marks` | what is drawn, from back to front |
//! | `labels` | where there is room for a text |
//! | `legend`, `xml` | the legend; text in XML |

mod axis;
mod clients;
mod cuts;
mod labels;
mod lanes;
mod legend;
mod marks;
mod messages;
mod plan;
mod sections;
mod xml;

pub use plan::Picture;

use std::io::{self, Write};

use plan::Plan;
use xml::escaped;

const STYLE: &str = "\
text{font:12px 'DejaVu Sans',system-ui,sans-serif;fill:#222}.small{font-size:11px;fill:#444}.title{font-size:11px;font-style:italic;fill:#444}\
.lane{stroke:#999;stroke-width:1}.message{stroke:#555;stroke-width:1.2;fill:none}.inferred{stroke-dasharray:5 3}\
.reordered{stroke:#b8450f;stroke-width:1.6}.duplicate{stroke:#7a3e9d;stroke-width:1.6}.lost{stroke:#b00020;stroke-width:1.4}.tick{stroke:#e2e2e2}.idle{stroke:#aaa;stroke-dasharray:2 4}\
.bar{fill:#56b4e9;fill-opacity:.35;stroke:#0072b2;stroke-width:.8}.send{fill:#0072b2}.receive{fill:#009e73}\
.local{fill:#e69f00}.begin{fill:#fff;stroke:#555;stroke-width:1.4}.error{stroke:#b00020;stroke-width:2.2;fill:none}\
.section{fill:#e69f00;fill-opacity:.3;stroke:#a66f00;stroke-width:1}.term{fill:#cc79a7;fill-opacity:.25;stroke:#8a3d66;stroke-width:1}.cut{stroke:#009e73;stroke-width:5;stroke-opacity:.5;stroke-linejoin:round;fill:none}.inconsistent{stroke:#b00020;stroke-width:4;stroke-opacity:.55;stroke-dasharray:7 4;fill:none}.violating{stroke:#b00020;stroke-width:1.9;fill:none}.label{font-size:11px;fill:#222;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}";

impl Picture<'_> {
    /// Writes it as SVG.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let plan = Plan::new(self);
        let (width, height) = (plan.width, plan.height);
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img">"#
        )?;
        let summary = plan.caption();
        writeln!(
            out,
            "<title>Space-time diagram: {}</title>",
            escaped(&summary)
        )?;
        writeln!(
            out,
            r##"<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0.6 8 4 0 7.4z" fill="#444"/></marker></defs>"##
        )?;
        writeln!(out, "<style>{STYLE}</style>")?;
        writeln!(out, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        plan.axis(out)?;
        plan.lanes(out)?;
        let mut labels = labels::Labels::new(width);
        plan.bars(&mut labels, out)?;
        plan.sections(&mut labels, out)?;
        plan.cuts(&mut labels, out)?;
        plan.messages(&mut labels, out)?;
        plan.look_ups(&mut labels);
        plan.marks(out)?;
        labels.write(out)?;
        plan.legend(out)?;
        writeln!(out, "</svg>")
    }
}
