package space

import (
	"context"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
)

// inflightTokens are the creates of this process that have not ended.
type inflightTokens struct {
	mu     sync.Mutex
	tokens map[string]bool
}

func (t *inflightTokens) add(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tokens == nil {
		t.tokens = map[string]bool{}
	}
	t.tokens[token] = true
}

func (t *inflightTokens) remove(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tokens, token)
}

func (t *inflightTokens) has(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tokens[token]
}

// recover undoes the creates that a crash cut short. It finds what they made
// by token, so that a later space of the same name is safe.
func (s *Service) recover(ctx context.Context) error {
	pending, err := s.cfg.Journal.PendingCreates(ctx)
	if err != nil {
		return fmt.Errorf("read the creates in flight: %w", err)
	}
	for _, p := range pending {
		if s.making.has(p.Token) {
			continue
		}
		if err := s.recoverOne(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// recoverOne leaves a space that is being changed to the next listing. One that
// cannot be undone must not keep the others from being listed.
func (s *Service) recoverOne(ctx context.Context, p PendingCreate) error {
	unlock, free := s.locks.tryLock(key(p.Space))
	if !free {
		return nil
	}
	defer unlock()
	err := s.undo(ctx, p)
	switch {
	case err == nil:
		s.log.InfoContext(ctx, "undid an interrupted create", "space", p.Space)
	case errdefs.IsUnavailable(err), ctx.Err() != nil:
		return fmt.Errorf("undo the interrupted create of %s: %w", p.Space, err)
	default:
		s.log.WarnContext(ctx, "an interrupted create was not undone; the next listing tries again", "space", p.Space, "error", err)
	}
	return nil
}

// clear undoes interrupted creates of a name before it is created anew: taken
// over, their half-made volume would be deleted under the new space. The lock
// is held.
func (s *Service) clear(ctx context.Context, name string) error {
	pending, err := s.cfg.Journal.PendingCreates(ctx)
	if err != nil {
		return fmt.Errorf("read the creates in flight: %w", err)
	}
	for _, p := range pending {
		if key(p.Space) != key(name) || s.making.has(p.Token) {
			continue
		}
		if err := s.undo(ctx, p); err != nil {
			return fmt.Errorf("an earlier create of %s was cut short and cannot be undone yet: %w", name, err)
		}
	}
	return nil
}

// undo removes the container and the fresh volume that carry p's token, then
// the note itself.
func (s *Service) undo(ctx context.Context, p PendingCreate) error {
	cs, err := s.cfg.Engine.Containers(ctx)
	if err != nil {
		return err
	}
	for _, c := range cs {
		if c.Token != p.Token {
			continue
		}
		if err := s.cfg.Engine.Remove(ctx, c.ID); err != nil && !errdefs.IsNotFound(err) {
			return err
		}
		s.dropContainer(p.Space, c.ID)
	}
	vol, err := s.cfg.Engine.Volume(ctx, p.Space)
	switch {
	case errdefs.IsNotFound(err), errdefs.IsConflict(err): // none, or somebody else's
	case err != nil:
		return err
	case vol.Token == p.Token:
		if err := s.cfg.Engine.RemoveVolume(ctx, p.Space); err != nil && !errdefs.IsNotFound(err) {
			return err
		}
		s.table.change(p.Space, func(e *entry) { e.volume = nil })
	}
	return s.cfg.Journal.EndCreate(ctx, p.Token)
}
