"""What tests share: free ports, a raw SIP peer, fake lines, a running edge, a running house."""
