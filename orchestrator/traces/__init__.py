"""What the chain's requests took, hop by hop, out of the lines that the stages log anyway."""
