//! Which cells of a frame are links, and where they lead: [`Linked`], beside the cells and never in them, so that a frame
//! looks the same with and without.
//!
//! Owns the places, in spans of a row, and that nothing which lies over a link is one by mistake. What may be an address is
//! the model's rule, and what a link is in bytes the terminal's.

use std::cell::RefCell;

use ratatui::layout::Rect;

use crate::model::address::Address;

/// The links of one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    addresses: Vec<Address>,
    spans: Vec<Span>,
}

/// Cells of a row that are one link, or a piece of one. The end is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub y: u16,
    pub from: u16,
    pub to: u16,
    address: usize,
}

impl Linked {
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub fn spans(&self) -> impl Iterator<Item = (Span, &Address)> {
        self.spans
            .iter()
            .filter_map(|span| Some((*span, self.addresses.get(span.address)?)))
    }

    /// The columns `from..to` of row `y` lead to `address`, whatever they did before.
    pub fn add(&mut self, y: u16, from: u16, to: u16, address: &Address) {
        if from >= to {
            return;
        }
        self.clear(Rect::new(from, y, to - from, 1));
        // A frame has few links.
        let known = self.addresses.iter().position(|known| known == address);
        let address = known.unwrap_or_else(|| {
            self.addresses.push(address.clone());
            self.addresses.len() - 1
        });
        self.spans.push(Span {
            y,
            from,
            to,
            address,
        });
    }

    /// Something else is drawn here.
    pub fn clear(&mut self, area: Rect) {
        let hidden = |span: &Span| (area.top()..area.bottom()).contains(&span.y) && area.width > 0;
        let mut behind = Vec::new();
        for span in self.spans.iter_mut().filter(|span| hidden(span)) {
            if span.from < area.left() && span.to > area.right() {
                behind.push(Span {
                    from: area.right(),
                    ..*span
                });
            }
            if span.from < area.left() {
                span.to = span.to.min(area.left());
            } else {
                span.from = span.from.max(area.right().min(span.to));
            }
        }
        self.spans.append(&mut behind);
        self.spans.retain(|span| span.from < span.to);
    }
}

/// The same while the frame is drawn: every view adds its own, and none of them takes any away from another but by lying
/// over it.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(RefCell<Linked>);

impl Marks {
    pub(super) fn add(&self, y: u16, from: u16, to: u16, address: &Address) {
        self.0.borrow_mut().add(y, from, to, address);
    }

    pub(super) fn clear(&self, area: Rect) {
        self.0.borrow_mut().clear(area);
    }

    pub(super) fn into_linked(self) -> Linked {
        self.0.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(name: &str) -> Address {
        Address::new(&format!("https://a.example/{name}")).unwrap()
    }

    /// What each cell of a row of forty leads to.
    fn cells(linked: &Linked, y: u16) -> Vec<Option<String>> {
        (0..40)
            .map(|x| {
                let mut here = linked
                    .spans()
                    .filter(|(span, _)| span.y == y && (span.from..span.to).contains(&x));
                let found = here.next().map(|(_, address)| address.as_str().to_owned());
                assert!(here.next().is_none(), "one cell leads to one address");
                found
            })
            .collect()
    }

    #[test]
    fn what_lies_over_a_link_cuts_it() {
        let mut linked = Linked::default();
        linked.add(1, 2, 30, &address("a"));
        linked.add(2, 2, 30, &address("a"));
        linked.clear(Rect::new(10, 0, 5, 2));
        let first = cells(&linked, 1);
        assert!(first[2..10].iter().all(Option::is_some));
        assert!(first[10..15].iter().all(Option::is_none));
        assert!(first[15..30].iter().all(Option::is_some));
        assert!(cells(&linked, 2)[2..30].iter().all(Option::is_some));
    }

    proptest! {
        #[test]
        fn a_cell_leads_to_what_was_put_there_last(
            strokes in proptest::collection::vec((any::<bool>(), 0_u16..40, 0_u16..40, 0_u16..3, 0_u16..3), 0..12),
        ) {
            let mut linked = Linked::default();
            let mut wanted = vec![vec![None; 40]; 3];
            for (adds, from, to, y, rows) in strokes {
                if adds {
                    let to_what = address(&to.to_string());
                    linked.add(y, from, to, &to_what);
                    for x in from..to {
                        wanted[usize::from(y)][usize::from(x)] = Some(to_what.as_str().to_owned());
                    }
                } else {
                    let area = Rect::new(from, y, to.saturating_sub(from), rows);
                    linked.clear(area);
                    for y in area.top()..area.bottom().min(3) {
                        for x in area.left()..area.right() {
                            wanted[usize::from(y)][usize::from(x)] = None;
                        }
                    }
                }
            }
            for y in 0..3 {
                prop_assert_eq!(&cells(&linked, y), &wanted[usize::from(y)]);
            }
        }
    }
}
