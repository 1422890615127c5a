"""What every process of a node shares: its journal, its link to the desks, its numbers and secret."""
