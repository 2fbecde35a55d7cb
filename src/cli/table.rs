//! Text in columns, for people who read an answer without `--json`. Owns widths, and no words.

use crate::model::text::width;

/// Left-aligned columns, two spaces apart.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0_usize; N];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut line = String::new();
            for (cell, widest) in row.iter().zip(widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat((widest + 2).saturating_sub(width(cell))));
            }
            line.trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}
