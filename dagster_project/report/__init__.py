"""What a person sees at the console. It reads schema bi and the ledgers, and computes no figure."""
