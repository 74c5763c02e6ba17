"""From memberships to changed lists: plan, deliver, and give each membership its outcome."""
