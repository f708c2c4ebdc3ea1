"""From messages to token ids and from replies to text, calls and quotations."""
