use super::Ticket;
use crate::types::CommandId;

/// The requests of the peer that are to be answered. Slots are used again, and what they were before is told by a
/// generation.
#[derive(Clone, Debug, Default)]
pub(super) struct Tickets {
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
}

/// A request of the peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) number: u32,
    pub(super) command_id: CommandId,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    generation: u32,
    asked: Option<Asked>,
}

impl Tickets {
    pub(super) fn insert(&mut self, asked: Asked) -> Ticket {
        self.len = self.len.saturating_add(1);
        if let Some(slot) = self.free.pop()
            && let Some(entry) = self.slots.get_mut(slot as usize)
        {
            entry.asked = Some(asked);
            return Ticket { slot, generation: entry.generation };
        }
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { generation: 0, asked: Some(asked) });
        Ticket { slot, generation: 0 }
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<Asked> {
        let slot = self.slots.get(ticket.slot as usize)?;
        slot.asked.filter(|_| slot.generation == ticket.generation)
    }

    pub(super) fn remove(&mut self, ticket: Ticket) {
        if self.get(ticket).is_some()
            && let Some(slot) = self.slots.get_mut(ticket.slot as usize)
        {
            *slot = Slot { generation: slot.generation.wrapping_add(1), asked: None };
            self.free.push(ticket.slot);
            self.len = self.len.saturating_sub(1);
        }
    }

    /// None is to be answered any longer.
    pub(super) fn clear(&mut self) {
        for slot in 0..self.slots.len() {
            let Ok(slot) = u32::try_from(slot) else { return };
            if let Some(generation) = self.slots.get(slot as usize).map(|slot| slot.generation) {
                self.remove(Ticket { slot, generation });
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn shrink(&mut self) {
        // The slots stay: their generations tell old tickets from new ones.
        self.free.shrink_to_fit();
        self.slots.shrink_to_fit();
    }
}
